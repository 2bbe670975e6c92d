#!/bin/sh
# What the browser tests need from the machine: a Chromium, and on Linux libatomic for
# the node that playwright carries (without it the driver only says "connection closed").
set -e
PY=${1:-.venv/bin/python}
have_browser() {
  [ -n "$PORTAL_BROWSER" ] && return 0
  for p in /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome \
    /usr/bin/google-chrome-stable /snap/bin/chromium \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
    "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
    [ -x "$p" ] && return 0
  done
  ls -d "$HOME"/.cache/ms-playwright/chromium-* \
    "$HOME"/Library/Caches/ms-playwright/chromium-* >/dev/null 2>&1
}
have_driver() { "$PY" -m playwright --version >/dev/null 2>&1; }

want=""
have_driver || want="libatomic1"
have_browser || { grep -qs '^ID=debian' /etc/os-release && want="$want chromium fonts-dejavu-core"; }
if [ -n "$want" ] && command -v apt-get >/dev/null; then
  SUDO=""
  [ "$(id -u)" = 0 ] || SUDO="sudo"
  echo "Installing for the browser tests: $want"
  # shellcheck disable=SC2086  # $want is a list of package names
  $SUDO apt-get update -q >/dev/null &&
    $SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $want >/dev/null
fi
have_browser || "$PY" -m playwright install --with-deps chromium || true
have_driver && have_browser && exit 0
echo "The browser tests need a Chromium. Debian: apt-get install chromium libatomic1." >&2
echo "macOS: Google Chrome. Anywhere: PORTAL_BROWSER=/path/to/chrome." >&2
exit 1
