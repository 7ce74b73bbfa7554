# list TABLE: every dimension with its units, in the order of the alphabet.
list() {
  {
    awk '{ units[$1] = units[$1] " " $2 } END { for (name in units) print name ":" units[name] }' "$1"
    echo "temperature: C F K"
  } | sort
}
