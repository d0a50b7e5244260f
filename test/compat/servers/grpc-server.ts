import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { HOST } from "./site.js";

const asIs = (value: Buffer) => value;

const method = {
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
  requestStream: false,
};

/** A service without a schema: what is sent says what is to happen. */
export const SERVICE = {
  ask: { ...method, path: "/compat.Compat/Ask", responseStream: false },
  watch: { ...method, path: "/compat.Compat/Watch", responseStream: true },
  gather: { ...method, path: "/compat.Compat/Gather", requestStream: true, responseStream: false },
  talk: { ...method, path: "/compat.Compat/Talk", requestStream: true, responseStream: true },
};

export interface GrpcServer {
  readonly port: number;
  readonly waiting: (from: ReadonlySet<number>) => number;
  readonly stop: () => void;
}

export async function startGrpc(): Promise<GrpcServer> {
  const server = new Server();
  const open = new Set<{ readonly peer: number }>();
  const keep = (call: { getPeer(): string; once(event: "cancelled", listener: () => void): unknown }) => {
    const entry = { peer: Number(call.getPeer().split(":").at(-1)) };
    open.add(entry);
    call.once("cancelled", () => open.delete(entry));
  };
  const failure = { code: status.FAILED_PRECONDITION, details: "meant to fail", metadata: new Metadata() };
  server.addService(SERVICE, {
    ask: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      const what = call.request.toString();
      if (what === "stall") keep(call);
      else if (what === "fail") answer(failure);
      else answer(null, call.request);
    },
    watch: (call: ServerWritableStream<Buffer, Buffer>) => {
      const what = call.request.toString();
      call.write(call.request);
      if (what === "stall") keep(call);
      else if (what === "fail") call.emit("error", failure);
      else call.end();
    },
    gather: (call: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      call.once("data", (request: Buffer) => {
        const what = request.toString();
        if (what === "stall") keep(call);
        else if (what === "fail") answer(failure);
        else answer(null, request);
      });
    },
    talk: (call: ServerDuplexStream<Buffer, Buffer>) => {
      call.once("data", (request: Buffer) => {
        const what = request.toString();
        call.write(request);
        if (what === "stall") keep(call);
        else if (what === "fail") call.emit("error", failure);
        else call.end();
      });
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${HOST}:0`, ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  return { port, waiting: (from) => [...open].filter(({ peer }) => from.has(peer)).length, stop: () => server.forceShutdown() };
}
