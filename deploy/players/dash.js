// For dash.js 5.2 or newer: player.updateSettings(reporting("https://collect.example/v1/cmcd/acme", "movie-0042"))
const keys = "ab bg bl br bs bsa bsd bsda cid dfa ec ltc msd mtp ot pr sf sid sn st sta ttfb url".split(" ");

export const reporting = (collector, content, seconds = 10, events = ["ps", "e", "t"]) => ({
  streaming: {
    cmcd: {
      enabled: true,
      version: 2,
      cid: content,
      enabledKeys: [], // adds no CMCD to media requests
      eventTargets: [
        // without enabledKeys, reports contain only the event and its time
        { enabled: true, url: collector, events, interval: seconds, enabledKeys: keys },
      ],
    },
  },
});
