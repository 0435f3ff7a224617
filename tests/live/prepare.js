// What players need that is not in the tree: themselves, from npm, and streams, made by ffmpeg. Both once.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const here = (path) => fileURLToPath(new URL(path, import.meta.url));

// Twenty seconds in two qualities, for DASH and HLS alike. The sound ends a little earlier: what it had beyond the
// picture would be one more segment, of an instant, which hls.js waits for at the end.
const STREAMS = [
  ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=20"],
  ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=19.9"],
  ["-filter_complex", "[0:v]split[a][b];[a]scale=320:180[low];[b]null[high]"],
  ["-map", "[low]", "-map", "[high]", "-map", "1:a"],
  ["-c:v", "libx264", "-profile:v", "baseline", "-preset", "veryfast", "-pix_fmt", "yuv420p"],
  ["-g", "50", "-keyint_min", "50", "-sc_threshold", "0"],
  ["-b:v:0", "200k", "-maxrate:v:0", "220k", "-bufsize:v:0", "200k"],
  ["-b:v:1", "600k", "-maxrate:v:1", "660k", "-bufsize:v:1", "600k"],
  ["-c:a", "aac", "-b:a", "64k", "-ac", "2"],
  ["-f", "dash", "-seg_duration", "2", "-use_timeline", "0", "-use_template", "1", "-hls_playlist", "1"],
  ["-adaptation_sets", "id=0,streams=v id=1,streams=a", "-init_seg_name", "init-$RepresentationID$.mp4"],
  ["-media_seg_name", "segment-$RepresentationID$-$Number%03d$.m4s", "stream.mpd"],
].flat();

/** Directories below `home` with npm's modules and with the streams. */
export async function prepare(home) {
  await mkdir(home, { recursive: true });
  const lock = await readFile(here("package-lock.json"), "utf8");
  const modules = await once(home, "modules", lock, async (dir) => {
    for (const file of ["package.json", "package-lock.json"]) await copyFile(here(file), join(dir, file));
    await run("npm", ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"], dir);
  });
  const streams = await once(home, "streams", STREAMS.join(" "), (dir) =>
    run("ffmpeg", ["-nostdin", "-hide_banner", "-loglevel", "error", ...STREAMS], dir),
  );
  return { modules, streams };
}

/** A directory named by what it is made from. It gets its name when it is whole, so that two may make it at once. */
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
    throw new Error(`players in a browser need ${program}: run \`make doctor\``);
  });
}
