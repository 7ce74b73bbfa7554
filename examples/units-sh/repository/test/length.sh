. "$(dirname "$0")/check.sh"

check 1.86411 3 km mi
check 1609.34 1 mi m
check "units: no way from km to parsec" 1 km parsec

exit $failed
