# The service in a container, for hosts where it shall not run itself: it offers Docker sandboxes only, on the engine
# whose socket it is given (docker/README.md). bubblewrap needs more rights than a container should have.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
RUN apt-get update && apt-get install -y --no-install-recommends npm ca-certificates gcc libc6-dev
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY src/after-install.mjs src/
# Local runtimes are of no use in here; Bun stays, because it bundles the kernels.
RUN npm ci --omit=dev && rm -rf node_modules/deno node_modules/@deno node_modules/@oven
COPY . .
RUN sh src/agent/build.sh /app/src/agent/build/agent && rm -rf test && node_modules/.bin/bun src/bundle/build.ts

FROM ${BASE}
RUN groupadd --gid 10001 codebeaker \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /app codebeaker \
    && install -d -o 10001 -g 10001 /data
COPY --from=build /app /app
WORKDIR /app
USER 10001:10001
ENV PATH=/app/node_modules/.bin:$PATH \
    HOST=0.0.0.0 \
    CODEBEAKER_RUNTIMES=Docker \
    CODEBEAKER_DATA_DIR=/data
VOLUME /data
EXPOSE 5039
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 5039) + '/health/ready').then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
CMD ["node", "src/server.mjs"]
