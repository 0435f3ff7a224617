// Prepares the files that the tests need and that the repository does not contain: npm packages, and the streams
// for the players, which ffmpeg creates. Each of them is created once.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const here = (path) => fileURLToPath(new URL(path, import.meta.url));

// Returns the arguments of ffmpeg for a stream of `seconds`, both for DASH and for HLS, with one video rendition
// for each bitrate (kbit/s). Representation 0 is the audio, and the others are the video renditions. The audio is a
// little shorter than the video. If it were longer, it would end with an additional, very short segment, and hls.js
// would wait for this segment at the end.
const stream = (seconds, ...bitrates) =>
  [
    ["-f", "lavfi", "-i", `testsrc2=size=640x360:rate=25:duration=${seconds}`],
    ["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=48000:duration=${seconds - 0.1}`],
    ["-map", "1:a", ...bitrates.flatMap(() => ["-map", "0:v"])],
    ["-c:v", "libx264", "-profile:v", "baseline", "-preset", "veryfast", "-pix_fmt", "yuv420p"],
    ["-g", "50", "-keyint_min", "50", "-sc_threshold", "0"],
    ...bitrates.map((kbps, at) => [
      ...[`-b:v:${at}`, `${kbps}k`, `-maxrate:v:${at}`, `${kbps * 1.1}k`, `-bufsize:v:${at}`, `${kbps}k`],
      ...[`-s:v:${at}`, kbps < 400 ? "320x180" : "640x360"],
    ]),
    ["-c:a", "aac", "-b:a", "64k", "-ac", "2"],
    ["-f", "dash", "-seg_duration", "2", "-use_timeline", "0", "-use_template", "1", "-hls_playlist", "1"],
    ["-adaptation_sets", "id=0,streams=v id=1,streams=a", "-init_seg_name", "init-$RepresentationID$.mp4"],
    ["-media_seg_name", "segment-$RepresentationID$-$Number%03d$.m4s", "stream.mpd"],
  ].flat();

/** Returns a directory below `home` with the npm packages of the lock file in the directory `from`. */
export async function packages(home, from) {
  await mkdir(home, { recursive: true });
  const lock = await readFile(join(from, "package-lock.json"), "utf8");
  return once(home, "modules", lock, async (dir) => {
    for (const file of ["package.json", "package-lock.json"]) await copyFile(join(from, file), join(dir, file));
    await run("npm", ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"], dir);
  });
}

/**
 * Returns four directories below `home`: the npm modules, a stream with one video rendition, a stream with two, and a
 * longer stream for live playback.
 */
export async function prepare(home) {
  const modules = await packages(home, here("."));
  const make = (options) =>
    once(home, "stream", options.join(" "), (dir) =>
      run("ffmpeg", ["-nostdin", "-hide_banner", "-loglevel", "error", ...options], dir),
    );
  return {
    modules,
    fixed: await make(stream(14, 600)),
    adaptive: await make(stream(14, 200, 600)),
    live: await make(stream(60, 600)),
  };
}

/**
 * Returns a directory that is named after a hash of `from`. If the directory does not exist, creates it and fills it
 * with `make`. It receives its name only when it is complete, so two processes may create it at the same time.
 */
async function once(home, name, from, make) {
  const done = join(home, `${name}-${createHash("sha256").update(from).digest("hex").slice(0, 12)}`);
  if (await stat(done).catch(() => null)) return done;
  const dir = await mkdtemp(join(home, `${name}.`));
  try {
    await make(dir);
    await rename(dir, done);
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    if (!(await stat(done).catch(() => null))) throw error;
  }
  return done;
}

async function run(program, args, cwd) {
  await promisify(execFile)(program, args, { cwd }).catch((error) => {
    if (error.code !== "ENOENT") throw error;
    throw new Error(`this needs ${program}: run \`make doctor\``);
  });
}
