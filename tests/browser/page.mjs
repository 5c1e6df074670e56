// Opens a page, fills its form as a visitor would, and prints what the page says then.
// Arguments: Chromium's path, the page's URL, and the values of its fields as JSON.
import { chromium } from "playwright-core";

const [executablePath, url, fields] = process.argv.slice(2);
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const browser = await chromium.launch({ executablePath, args });
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(url);
  for (const [name, value] of Object.entries(JSON.parse(fields))) {
    await page.fill(`[name=${name}]`, value);
  }
  await page.click("button");
  const told = page.locator("output:not(:empty)");
  await told.waitFor();
  const disabled = await page.locator("button").isDisabled();
  console.log(JSON.stringify({ told: await told.textContent(), disabled }));
} finally {
  await browser.close();
}
