. "$(dirname "$0")/check.sh"

check 212 100 C F
check 273.15 0 C K
check -40 -40 F C
check "units: no way from C to km" 1 C km

exit $failed
