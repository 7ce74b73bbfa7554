#!/bin/sh
# units VALUE FROM TO: prints VALUE, given in FROM, in TO.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib/convert.sh"

main() {
  if [ $# -ne 3 ]; then
    echo "usage: units VALUE FROM TO" >&2
    return 2
  fi
  convert "$1" "$2" "$3" "$here"/lib/*.txt
}

main "$@"
