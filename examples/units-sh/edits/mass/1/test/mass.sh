. "$(dirname "$0")/check.sh"

check 2.20462 1 kg lb
check 453.592 1 lb g
check "units: no way from kg to km" 1 kg km

exit $failed
