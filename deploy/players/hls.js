// hls.js from 1.7 on: new Hls(reporting("https://collect.example/v1/cmcd/acme", "movie-0042"))
export const reporting = (collector, content, seconds = 10) => ({
  cmcd: {
    version: 2,
    contentId: content,
    includeKeys: [], // media requests stay as they are
    eventTargets: [{ url: collector, events: ["ps", "bc", "e", "t"], interval: seconds }],
  },
});
