. "$(dirname "$0")/check.sh"

check 1.75975 1 l pt
check 1000 1 l ml
check "units: no way from l to km" 1 l km

exit $failed
