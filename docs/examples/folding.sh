# Prints one beacon per session, for the worked example in docs/concepts.md: sh docs/examples/folding.sh
set -eu
session=0
beacons() {
  end=$((session + $3))
  while [ "$session" -lt "$end" ]; do
    session=$((session + 1))
    echo "{\"ts\":1795308528421,\"session\":\"session-$session\",\"event\":\"heartbeat\",\"os\":\"$1\",\"browser\":\"$2\",\"playing_ms\":10000}"
  done
}
beacons Windows Chrome 900
beacons Windows Edge 70
beacons Windows Opera 9
beacons Windows Yandex 4
beacons Tizen "Samsung Internet" 30
