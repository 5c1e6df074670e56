// A proxy that passes everything on byte for byte, and lets Prism's validator judge each answer (and
// each request that the service took) by an OpenAPI document. Prism's own proxy writes bodies anew, so
// it cannot stand between the service and tests that send broken JSON, gzip or half a stream.
//
// Argument: the document. stdin, line by line: a port of 127.0.0.1 to stand in front of, answered by
// the port to use instead; or "report", answered by {judged, outside, deviations} since the last one:
// answers judged, answers to what the document has no operation for, and texts.
import http from "node:http";
import { createInterface } from "node:readline";
import { getHttpOperationsFromSpec } from "@stoplight/prism-http";
import router from "@stoplight/prism-http/dist/router/index.js";
import validator from "@stoplight/prism-http/dist/validator/index.js";

const JUDGED_BYTES = 8 * 1024 * 1024; // of a longer body no more than its head is looked at
const STATUSES_OUTSIDE = [204, 400, 404, 405]; // OPTIONS, a bad escape, no such route, no such method

const operations = await getHttpOperationsFromSpec(process.argv[2]);
let seen = { judged: 0, outside: 0, deviations: [] };

const essence = (headers) => (headers["content-type"] ?? "").split(";")[0].trim().toLowerCase();
const isJson = (type) => type === "application/json" || type.endsWith("+json");
const messages = (result) => (result._tag === "Left" ? result.left.map((each) => each.message) : []);

/** The operation with its one description of this status and media type alone: Prism, left to choose,
 * takes application/problem+json for application/json. */
const narrowed = new Map();
function narrow(operation, status, type) {
  const name = `${operation.id} ${status} ${type}`;
  if (!narrowed.has(name)) {
    const responses = operation.responses.filter((each) => each.code === String(status));
    const exact = responses.map((each) => {
      const contents = (each.contents ?? []).filter((content) => content.mediaType.split(";")[0] === type);
      return { ...each, contents };
    });
    narrowed.set(name, { ...operation, responses: exact });
  }
  return narrowed.get(name);
}

function operationOf(method, url) {
  const path = url.replace(/^http:\/\/[^/]+/, "").split("?")[0];
  const input = { method: method.toLowerCase(), url: { path } };
  const found = path.startsWith("/") ? router.default({ resources: operations, input }) : { _tag: "Left" };
  return found._tag === "Right" ? found.right : undefined;
}

function parsed(headers, body) {
  const whole = body.length > 0 && body.length < JUDGED_BYTES;
  return isJson(essence(headers)) && whole ? JSON.parse(body.toString()) : undefined;
}

/** Members that are ignored when sent; Prism takes them for unknown ones. */
function withoutReadOnly(body) {
  if (Array.isArray(body)) {
    return body.map(withoutReadOnly);
  }
  if (body === null || typeof body !== "object") {
    return body;
  }
  const { created_at, updated_at, ...sent } = body;
  return sent;
}

function judgeAnswer(operation, request, answer, body) {
  const type = essence(answer.headers);
  const resource = narrow(operation, answer.statusCode, type);
  const [response] = resource.responses;
  if (response === undefined) {
    return ["the document has no such status"];
  }
  if (response.contents.length === 0 && (type !== "" || body.length > 0)) {
    return [`the document has no ${type} for this status`];
  }
  const element = { statusCode: answer.statusCode, headers: answer.headers, body: parsed(answer.headers, body) };
  if (request.method === "HEAD" || !isJson(type) || body.length >= JUDGED_BYTES) {
    const headersAlone = { ...resource, responses: [{ ...response, contents: [] }] };
    return messages(validator.validateOutput({ resource: headersAlone, element }));
  }
  return body.length === 0 ? ["an empty body"] : messages(validator.validateOutput({ resource, element }));
}

/** What the service took as a whole must be what the document allows; of other bodies than JSON Prism
 * knows nothing, and bodies of other methods are ignored. */
function judgeRequest(operation, request, status, body) {
  if (status >= 207 || request.headers["content-encoding"] !== undefined || body.length >= JUDGED_BYTES) {
    return [];
  }
  const url = new URL(request.url, "http://localhost");
  const query = Object.fromEntries(url.searchParams);
  if (query.on_conflict === "merge") {
    return []; // of a part of a record OpenAPI cannot say that it belongs to one value of a parameter
  }
  const headers = { ...request.headers };
  const element = { method: request.method.toLowerCase(), headers, url: { path: url.pathname, query },
    body: withoutReadOnly(parsed(headers, body)) };
  let resource = operation;
  if (!isJson(essence(headers)) || !["PATCH", "POST", "PUT"].includes(request.method)) {
    delete headers["content-length"];
    resource = { ...operation, request: { ...operation.request, body: undefined } };
  }
  return messages(validator.validateInput({ resource, element })).map((each) => `taken all the same: ${each}`);
}

function judge(request, sent, answer, body) {
  const operation = operationOf(request.method === "HEAD" ? "GET" : request.method, request.url);
  let found;
  if (operation === undefined) {
    seen.outside++;
    found = STATUSES_OUTSIDE.includes(answer.statusCode) ? [] : ["the document has no such operation"];
  } else {
    seen.judged++;
    found = [...judgeAnswer(operation, request, answer, body),
      ...judgeRequest(operation, request, answer.statusCode, sent)];
  }
  const where = `${request.method} ${request.url} ${answer.statusCode}`;
  seen.deviations.push(...found.map((each) => `${where}: ${each}`));
}

/** Keeps the head of a stream while it passes. */
function keep(stream) {
  const parts = [];
  let length = 0;
  stream.on("data", (part) => {
    if (length < JUDGED_BYTES) {
      parts.push(part);
      length += part.length;
    }
  });
  return () => Buffer.concat(parts);
}

function standBefore(port) {
  const agent = new http.Agent({ keepAlive: true });
  const server = http.createServer((request, response) => {
    const { method, url: path, rawHeaders } = request;
    const passed = http.request({ host: "127.0.0.1", port, method, path, agent, headers: rawHeaders });
    const sent = keep(request);
    request.pipe(passed);
    response.on("close", () => passed.destroy());
    passed.on("error", () => response.destroy());
    passed.on("response", (answer) => {
      const got = keep(answer);
      response.writeHead(answer.statusCode, answer.statusMessage, answer.rawHeaders);
      answer.pipe(response, { end: false });
      answer.on("error", () => response.destroy());
      answer.on("end", () => {
        if (answer.complete) {
          try {
            judge(request, sent(), answer, got());
          } catch (error) {
            seen.deviations.push(`${method} ${path} ${answer.statusCode}: ${error.stack}`);
          }
          response.end();
        } else {
          response.destroy();
        }
      });
    });
  });
  server.keepAliveTimeout = 0; // connections end when the service or the client says so
  server.requestTimeout = 0;
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line === "report") {
    console.log(JSON.stringify(seen));
    seen = { judged: 0, outside: 0, deviations: [] };
  } else {
    console.log(await standBefore(Number(line)));
  }
}
process.exit(0);
