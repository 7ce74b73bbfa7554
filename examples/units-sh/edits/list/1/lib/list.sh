# list TABLE...: every dimension with its units, in the order of the alphabet.
list() {
  {
    for table in "$@"; do
      echo "$(basename "$table" .txt):$(awk '{ printf " %s", $1 }' "$table")"
    done
    echo "temperature: C F K"
  } | sort
}
