import { InputError } from "@nasty/workflow/command";

/**
 * The package that knows queues, which is installed by who wants them.
 *
 * @param command whose option asks for it
 * @throws InputError that says how to install it
 */
export async function loadQueue(command: string): Promise<typeof import("@nasty/queue")> {
  try {
    return await import("@nasty/queue");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new InputError(
      `${command}: --queue: expected the package @nasty/queue, got none installed; npm install @nasty/queue`,
      { cause: error },
    );
  }
}
