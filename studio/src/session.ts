/** What the server said of itself when the page was opened. */

import { getSession } from "./api/client";
import type { Session } from "./api/types";

let current: Session | null = null;

export async function openSession(): Promise<Session> {
  current = await getSession();
  return current;
}

/** The session; pages are drawn only after it was opened. */
export function session(): Session {
  if (current === null) throw new Error("the session has not been opened");
  return current;
}
