// Serves a prepared stream as a live stream. The live stream began `LEAD_MS` before the request for the page, and a
// segment is available from the time at which its last frame was "recorded".
import { readFile } from "node:fs/promises";
import { basename } from "node:path";

/** The part of the stream that is available when the page is opened, in milliseconds. */
export const LEAD_MS = 10_000;

const SEGMENT_MS = 2_000;

/** Returns the manifest of a live stream that began at `start_ms`. `file` is the manifest of the prepared stream. */
export async function manifest(file, start_ms) {
  const attributes = {
    availabilityStartTime: new Date(start_ms).toISOString(),
    publishTime: new Date().toISOString(),
    minimumUpdatePeriod: "PT4S",
    timeShiftBufferDepth: "PT30S",
    suggestedPresentationDelay: "PT6S",
  };
  const added = Object.entries(attributes).map(([name, value]) => `${name}="${value}"`);
  const text = await readFile(file, "utf8");
  return text.replace('type="static"', `type="dynamic" ${added.join(" ")}`).replace(/mediaPresentationDuration="\S+"/, "");
}

/** Returns true if a file of a live stream that began at `start_ms` is available. */
export function isAvailable(file, start_ms) {
  const number = /-(\d+)\.m4s$/.exec(basename(file))?.[1] ?? 0;
  return Date.now() >= start_ms + number * SEGMENT_MS;
}
