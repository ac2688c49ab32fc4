import { setTimeout as wait } from "node:timers/promises";
import { Redis } from "ioredis";
import { InputError, UsageError } from "@nasty/workflow/command";

/** Where a queue is. */
export interface QueueAddress {
  /** With its password: for the connection, and for nothing that is shown. */
  readonly url: string;
  /** Host, port and database. */
  readonly shown: string;
}

/** A password here is on no command line, and so in no list of processes. */
const passwordVariable = "NASTY_QUEUE_PASSWORD";

/** A server that is silent for so long while something was asked is gone; longer than any command waits for a job. */
const longestSilenceMs = 30_000;
/** Between two attempts to reach a queue that was reached before, at most. */
const longestPauseMs = 5000;

/**
 * Checks the address of a queue.
 *
 * @throws UsageError, which never repeats the text: there may be a password in it
 */
export function addressOf(text: string, environment: NodeJS.ProcessEnv = process.env): QueueAddress {
  const wrong = (got: string): UsageError =>
    new UsageError(
      `--queue: expected an address such as redis://host:6379/0, or rediss:// for TLS, got ${got}; a password belongs in ${passwordVariable}`,
    );
  if (!URL.canParse(text)) throw wrong("a text that is no address");
  const url = new URL(text);
  if (url.protocol !== "redis:" && url.protocol !== "rediss:")
    throw wrong(`one that begins with ${url.protocol}`);
  if (url.hostname === "") throw wrong("one without a host");
  if (!/^\/?[0-9]*$/.test(url.pathname)) throw wrong("a database that is no number");
  if (url.search !== "" || url.hash !== "") throw wrong("one with options behind it");
  const password = environment[passwordVariable];
  if (url.password === "" && password !== undefined) url.password = encodeURIComponent(password);
  const database = url.pathname.replace("/", "");
  const shown = `${url.protocol}//${url.host}${database === "" ? "" : `/${database}`}`;
  return { url: url.href, shown };
}

/**
 * Connects to a queue. A connection that is lost afterwards is made again, for as long as it takes.
 *
 * @throws InputError where nothing answers, or what answers lets nobody in
 */
export async function connect({ url, shown }: QueueAddress): Promise<Redis> {
  let isReady = false;
  const client = new Redis(url, {
    lazyConnect: true,
    // A command waits until the connection is back.
    maxRetriesPerRequest: null,
    socketTimeout: longestSilenceMs,
    retryStrategy: (times) => (isReady ? Math.min(times * 200, longestPauseMs) : null),
  });
  // Why a connection failed comes as an event; the call only says that it is closed.
  let reason: Error | undefined;
  client.on("error", (error: Error) => (reason ??= error));
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    client.disconnect();
    const { message } = reason ?? (error as Error);
    throw new InputError(
      `queue ${shown}: expected Redis or Valkey there, got: ${message.split("\n")[0]}; check the address, the password and that it runs`,
    );
  }
  isReady = true;
  return client;
}

export interface Persistence {
  readonly onError: (error: Error) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * Asks a server until it answers: it may be restarting, or cut off for a while.
 *
 * @param ask must do no harm when it is done twice
 * @throws the signal's reason
 */
export async function persist<T>(ask: () => Promise<T>, { onError, signal }: Persistence): Promise<T> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      onError(error as Error);
    }
    await wait(1000, undefined, { signal }).catch(() => undefined);
  }
}
