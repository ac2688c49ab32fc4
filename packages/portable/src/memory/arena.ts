import { padded } from "./heap.js";

/** A piece of memory that one or more values share. */
export interface Room {
  readonly at: number;
  readonly bytes: number;
  users: number;
}

/** Where the values of a run lie: the lowest gap that is large enough, so that memory is used again. */
export class Arena {
  readonly #start: number;
  /** Taken pieces by address. */
  readonly #taken: Room[] = [];
  #end: number;

  constructor(start: number) {
    this.#start = start;
    this.#end = start;
  }

  /** One past the last byte that was ever taken. */
  get end(): number {
    return this.#end;
  }

  take(bytes: number): Room {
    const needed = padded(bytes);
    let at = this.#start;
    let position = 0;
    for (const room of this.#taken) {
      if (room.at - at >= needed) break;
      at = room.at + room.bytes;
      position += 1;
    }
    const room: Room = { at, bytes: needed, users: 1 };
    this.#taken.splice(position, 0, room);
    this.#end = Math.max(this.#end, at + needed);
    return room;
  }

  release(room: Room): void {
    room.users -= 1;
    if (room.users === 0) this.#taken.splice(this.#taken.indexOf(room), 1);
  }
}
