FROM debian:bookworm-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends cmake gcc libc6-dev libjansson-dev \
        libmicrohttpd-dev libpq-dev libsodium-dev ninja-build pkgconf zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /vinculo
COPY . .
RUN cmake --preset release -D VINCULO_WERROR=OFF && cmake --build --preset release

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libjansson4 libmicrohttpd12 libpq5 libsodium23 \
        tzdata zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home vinculo
COPY --from=build /vinculo/build/release/vinculo /usr/local/bin/vinculo
USER vinculo
ENV VINCULO_LISTEN=0.0.0.0:8080
EXPOSE 8080
# The image has no HTTP client; bash speaks enough.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /readyz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && grep -q '^HTTP/1.1 200' <&3"]
ENTRYPOINT ["vinculo"]
CMD ["serve"]
