// For hls.js 1.7 or newer: new Hls(reporting("https://collect.example/v1/cmcd/acme", "movie-0042"))
export const reporting = (collector, content, seconds = 10, events = ["ps", "bc", "e", "t"]) => ({
  cmcd: {
    version: 2,
    contentId: content,
    includeKeys: [], // adds no CMCD to media requests
    eventTargets: [{ url: collector, events, interval: seconds }],
  },
});
