-- The same GET again and again. The environment: KEY. Ends with one line of JSON.
wrk.headers["Authorization"] = "Bearer " .. os.getenv("KEY")

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format('{"requests":%d,"duration_us":%d,"refused":%d,"broken":%d,"timeouts":%d,'
        .. '"p50_us":%d,"p99_us":%d}\n', summary.requests, summary.duration, errors.status,
        errors.connect + errors.read + errors.write, errors.timeout, latency:percentile(50), latency:percentile(99)))
end
