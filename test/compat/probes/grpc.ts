import {
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  credentials,
  makeGenericClientConstructor,
  status,
} from "@grpc/grpc-js";
import { family, type Kit, probe, type Way } from "../harness/probe.js";
import { SERVICE } from "../servers/grpc-server.js";
import { byCode } from "./genuine.js";

type Answer = (error: Error | null, answer: unknown) => void;

interface Compat extends Client {
  ask(request: Buffer, callback: Answer): ClientUnaryCall;
  watch(request: Buffer): ClientReadableStream<unknown>;
  gather(callback: Answer): ClientWritableStream<Buffer>;
  talk(): ClientDuplexStream<Buffer, unknown>;
}

const CompatClient = makeGenericClientConstructor(SERVICE, "Compat") as unknown as new (address: string, with_: typeof SECURITY) => Compat;
const SECURITY = credentials.createInsecure();

const genuine = byCode(status.FAILED_PRECONDITION);

export default family(
  "@grpc/grpc-js",
  probe({
    name: "client.method(request, callback)",
    needs: ["grpc"],
    setup: connected,
    call: (way: Way, task, client, wrap) => {
      const request = Buffer.from(way);
      let call: ClientUnaryCall;
      return wrap(
        () =>
          new Promise((resolve, reject) => {
            call = client.ask(request, (error, answer) => (error ? reject(error) : resolve(answer)));
          }),
        { onCancel: () => call.cancel() },
        task,
      );
    },
    takesNoSignal: true,
    genuine,
    note: "A signal among its options is not looked at.",
  }),
  probe({
    name: "for await (… of client.serverStream(request))",
    needs: ["grpc"],
    setup: connected,
    call: (way: Way, task, client, wrap) => {
      const request = Buffer.from(way);
      let call: ClientReadableStream<unknown>;
      return wrap(
        async () => {
          call = client.watch(request);
          for await (const _ of call);
        },
        { onCancel: () => call.cancel() },
        task,
      );
    },
    takesNoSignal: true,
    genuine,
  }),
  probe({
    name: "client.clientStream(callback)",
    needs: ["grpc"],
    setup: connected,
    call: (way: Way, task, client, wrap) => {
      const request = Buffer.from(way);
      let call: ClientWritableStream<Buffer>;
      return wrap(
        () =>
          new Promise((resolve, reject) => {
            call = client.gather((error, answer) => (error ? reject(error) : resolve(answer)));
            call.write(request);
          }),
        { onCancel: () => call.cancel() },
        task,
      );
    },
    takesNoSignal: true,
    genuine,
  }),
  probe({
    name: "for await (… of client.duplexStream())",
    needs: ["grpc"],
    setup: connected,
    call: (way: Way, task, client, wrap) => {
      const request = Buffer.from(way);
      let call: ClientDuplexStream<Buffer, unknown>;
      return wrap(
        async () => {
          call = client.talk();
          call.write(request);
          for await (const _ of call);
        },
        { onCancel: () => call.cancel() },
        task,
      );
    },
    takesNoSignal: true,
    genuine,
  }),
);

async function connected({ grpc, defer }: Kit): Promise<Compat> {
  const client = new CompatClient(grpc, SECURITY);
  defer(() => client.close());
  await new Promise<void>((resolve, reject) => client.waitForReady(Date.now() + 5_000, (error) => (error ? reject(error) : resolve())));
  return client;
}
