// For Shaka Player 5.2 or newer: player.configure(reporting("https://collect.example/v1/cmcd/acme", "movie-0042"))
export const reporting = (collector, content, seconds = 10, events = ["ps", "bc", "e", "t"]) => ({
  cmcd: {
    enabled: true,
    version: 2,
    contentId: content,
    eventTargets: [
      { enabled: true, mode: "event", url: collector, events, interval: seconds, version: 2 },
    ],
  },
});
