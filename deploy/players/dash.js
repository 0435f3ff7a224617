// dash.js from 5.2 on: player.updateSettings(reporting("https://collect.example/v1/cmcd/acme", "movie-0042"))
const keys = "ab bg bl br bs bsa bsd bsda cid dfa ec msd mtp pr sf sid sn st sta".split(" ");

export const reporting = (collector, content, seconds = 10) => ({
  streaming: {
    cmcd: {
      enabled: true,
      version: 2,
      cid: content,
      enabledKeys: [], // media requests stay as they are
      eventTargets: [
        // without enabledKeys only the event and its time would be sent
        { enabled: true, url: collector, events: ["ps", "e", "t"], interval: seconds, enabledKeys: keys },
      ],
    },
  },
});
