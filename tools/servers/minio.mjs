// MinIO, an S3 server, for tests: `node tools/servers/minio.mjs` prints the path of its command and builds it first if
// need be; with --find it builds nothing and says what is missing instead.
import { provideGoServer } from "./go-server.mjs";

await provideGoServer({
  command: "minio",
  title: "MinIO server",
  module: "github.com/minio/minio",
  version: "0.0.0-20260212201848-7aac2a2c5b7c",
  script: "tools/servers/minio.mjs",
  buildTime: "two minutes",
});
