# The release workflow passes the same image by digest.
ARG NODE=node:24-slim

FROM ${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY commands ./commands
RUN node node_modules/typescript/bin/tsc --project tsconfig.build.json
# Node.js reads neither source maps nor type declarations.
RUN npm prune --omit=dev --ignore-scripts \
  && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete

# The base without package managers. Any user may write the database's folder, and add to the compiled code of another user.
FROM ${NODE} AS base
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn* /opt/yarn* \
  && mkdir /app && mkdir --mode=1777 /data /app/.compiled && ln -s /data /app/data \
  && for name in doctor setup; do \
    printf '#!/bin/sh\nexec node /app/src/%s/%s-cli.js "$@"\n' $name $name > /usr/local/bin/$name \
    && chmod 755 /usr/local/bin/$name; done

# A copy, because a file that a later layer removes still takes room in the layer below.
FROM scratch
COPY --from=base / /
# The option keeps the memory for new objects small. With the usual 16 MiB, an idle bot would hold about 15 MiB more.
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin NODE_ENV=production \
  NODE_COMPILE_CACHE=/app/.compiled NODE_OPTIONS=--max-semi-space-size=4
WORKDIR /app
COPY LICENSE package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./

# The base image's user "node", by number, so that an orchestrator can see that this user is not root.
USER 1000:1000
# The check loads the modules that a start needs, and Node.js then writes the compiled code. Node.js keeps this code for each user: another
# user starts more slowly.
RUN ["node", "src/main.js", "--check"]
# The only place that is written to. The default database is here: no setting names the place, because DATABASE_URL_FILE
# would then be a second setting.
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "const { HOST = '', PORT } = process.env; fetch(`http://${HOST.includes(':') ? `[${HOST}]` : HOST || '127.0.0.1'}:${PORT || 3000}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]

CMD ["node", "src/main.js"]
