-- One survey per request: about 200 bytes, an id of its own, segment (5), channel (4), touchpoint (4), a comment.
-- The environment: KEY, RUN (a prefix that no other run has). Ends with one line of JSON.
local run, key = os.getenv("RUN"), os.getenv("KEY")
local threads = 0
local all = {}

function setup(thread)
    threads = threads + 1
    thread:set("number", threads)
    table.insert(all, thread)
end

function init()
    math.randomseed(number)
    count = 0
    created, refused = 0, 0
    wrk.headers["Authorization"] = "Bearer " .. key
    wrk.headers["Content-Type"] = "application/json"
end

local form = '{"id":"%s-%d-%d","type":"nps","score":%d,"segment":"segment-%d","channel":"channel-%d",'
    .. '"touchpoint":"touchpoint-%d","answered_at":"2026-09-14T12:34:56Z",'
    .. '"comment":"Resolveram na hora, mas a espera foi longa."}'

function request()
    count = count + 1
    return wrk.format("POST", "/v1/surveys", nil, string.format(form, run, number, count, math.random(0, 10),
        math.random(1, 5), math.random(1, 4), math.random(1, 4)))
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format('{"requests":%d,"duration_us":%d,"refused":%d,"broken":%d,"timeouts":%d,'
        .. '"p50_us":%d,"p99_us":%d}\n', summary.requests, summary.duration, errors.status,
        errors.connect + errors.read + errors.write, errors.timeout, latency:percentile(50), latency:percentile(99)))
end
