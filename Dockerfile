FROM node:24-slim

ENV NODE_ENV=production

# The one place that is written to. The database is there by default, and by no setting: DATABASE_URL_FILE would be a second.
WORKDIR /app
RUN mkdir /data && chown node:node /data && ln -s /data data

COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && npm cache clean --force
COPY LICENSE ./
COPY src ./src
COPY commands ./commands

# The image's own "node" user, by number, so that an orchestrator can see that it is not root.
USER 1000:1000
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "const { HOST = '', PORT } = process.env; fetch(`http://${HOST.includes(':') ? `[${HOST}]` : HOST || '127.0.0.1'}:${PORT || 3000}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]

# Not through npm, which would keep SIGTERM to itself.
CMD ["node", "src/main.ts"]
