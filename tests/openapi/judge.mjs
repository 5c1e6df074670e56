// Holds values against schemas of an OpenAPI 3.1 document.
// stdin: {document, checks: [{schema: JSON pointer into the document, value}]}
// stdout: for each check the list of errors, empty where the value is valid.
import { readFileSync } from "node:fs";
import Ajv from "ajv/dist/2020.js";
import formats from "ajv-formats";

const { document, checks } = JSON.parse(readFileSync(0, "utf8"));
// Not strict: OpenAPI's own members (example, paths, …) are no keywords of JSON Schema.
const ajv = new Ajv.default({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema(document, "openapi");

const verdicts = checks.map(({ schema, value }) => {
  const validate = ajv.compile({ $ref: `openapi${encodeURI(schema)}` });
  validate(value);
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
});
process.stdout.write(JSON.stringify(verdicts));
