// Plays one playback. A player plays the stream of the plan, and a `Watch` measures it. The driver awaits
// `window.over`, and then calls `end()`, which returns the measured responses.
import { Watch } from "./watch.js";

const plan = await (await fetch(`/plan/${new URLSearchParams(location.search).get("playback")}`)).json();
document.querySelector("h1").textContent = `${plan.player}: ${plan.id}`;
const video = document.querySelector("video");
const { prepare } = await import(`./${plan.player}.js`);
const play = await prepare(plan);

video.autoplay = true;
const watch = new Watch(video, plan.live_since_ms);
const player = await play(video, watch);
const seeks = [...plan.seeks];

window.over = new Promise((over) => {
  const timer = setInterval(() => {
    watch.tick(player.kbps(), (player.loaded ?? player.kbps)());
    if (seeks.length > 0 && video.currentTime >= seeks[0].at_s) video.currentTime = seeks.shift().to_s;
    if (video.currentTime >= plan.until_s) {
      video.pause();
      watch.stop();
    }
    if (!watch.over && performance.now() < plan.within_s * 1000) return;
    clearInterval(timer);
    over(watch.result());
  }, 100);
});
window.end = async () => {
  await player.end();
  return watch.responses();
};
