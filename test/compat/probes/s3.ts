import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { family, type Kit, type Probe, probe, type Scope, type Way, type Wrap } from "../harness/probe.js";
import { byStatus } from "./genuine.js";
import { BACKOFF, BODY, isReset, type Paths, STATUS } from "./over-http.js";

// It warns of Node 20.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

const credentials = { accessKeyId: "id", secretAccessKey: "secret" };

export default family(
  "@aws-sdk/client-s3",
  overS3("client.send(command, { abortSignal })", STATUS, byStatus(404), (client, command, { signal }) =>
    client.send(command, { abortSignal: signal }),
  ),
  overS3("client.send(command, { abortSignal }), before it tries again", BACKOFF, byStatus(404), (client, command, { signal }) =>
    client.send(command, { abortSignal: signal }),
  ),
  overS3(
    "body.transformToString()",
    BODY,
    isReset,
    async (client, command, task, wrap) => {
      const { Body: body } = await client.send(command, { abortSignal: task.signal });
      return wrap(async () => body?.transformToString(), {}, task);
    },
    "Its body is a response of `node:http`, which says that the connection was reset.",
  ),
);

function overS3(
  name: string,
  paths: Paths,
  genuine: (error: unknown) => boolean,
  call: (client: S3Client, command: GetObjectCommand, task: Scope, wrap: Wrap) => Promise<unknown>,
  note?: string,
): Probe {
  return probe({
    ...(note === undefined ? {} : { note }),
    name,
    needs: ["http"],
    setup: ({ http, defer }: Kit) => {
      const client = new S3Client({
        endpoint: http,
        region: "here",
        credentials,
        forcePathStyle: true,
        maxAttempts: paths === BACKOFF ? 5 : 1,
      });
      defer(() => client.destroy());
      return client;
    },
    call: (way: Way, task, client, wrap) => call(client, new GetObjectCommand({ Bucket: "bucket", Key: paths[way] }), task, wrap),
    shown: call,
    genuine,
    isPooled: true,
  });
}
