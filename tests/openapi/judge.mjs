// Holds values against schemas of an OpenAPI 3.1 document, line by line.
// First line of stdin: the document. Each further one: {schema: JSON pointer into it, value}.
// stdout: for each check a line with the list of errors, empty where the value is valid.
import { createInterface } from "node:readline";
import Ajv from "ajv/dist/2020.js";
import formats from "ajv-formats";

// Not strict: OpenAPI's own members (example, paths, …) are no keywords of JSON Schema.
const ajv = new Ajv.default({ strict: false, allErrors: true });
formats.default(ajv);
const validators = new Map();

function errorsOf({ schema, value }) {
  if (!validators.has(schema)) {
    validators.set(schema, ajv.compile({ $ref: `openapi${encodeURI(schema)}` }));
  }
  const validate = validators.get(schema);
  validate(value);
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}

let document;
for await (const line of createInterface({ input: process.stdin })) {
  if (document === undefined) {
    document = JSON.parse(line);
    ajv.addSchema(document, "openapi");
  } else {
    process.stdout.write(`${JSON.stringify(errorsOf(JSON.parse(line)))}\n`);
  }
}
