#!/bin/sh
# What `make demo` shows: a minute of training, its figures, a sample. Usage: sh tools/demo.sh BIN
set -eu

recurra="${1:?usage: sh tools/demo.sh BIN, the folder of the recurra command}/recurra"
run=runs/demo
bold='' plain=''
if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi

# Show a command as one would type it, then do it.
try() {
    printf '\n%s$ recurra' "$bold"
    for word; do
        case $word in *" "*) printf ' "%s"' "$word" ;; *) printf ' %s' "$word" ;; esac
    done
    printf '%s\n' "$plain"
    "$recurra" "$@"
}

echo "A language model, by characters, of Python's own help texts: half a megabyte, a minute, from nothing."
if [ -e "$run" ]; then
    echo "($run, of the last demonstration, is made anew.)"
    rm -rf "$run"
fi

# One layer: more steps than two would leave time for.
try train lm python-docs --within 1m --layers 1 --lr 0.005 -o "$run"
cat <<END

nll: the mean surprise, in nats, at each next character of text that was held out. Lower is better.
kneser-ney-5 has counted everything that followed each four characters, and is hard to beat in a minute.
END

try generate "$run" --prompt "The " --temperature 0.6 --length 300 --seed 1
try predict "$run" --text "The for stat" -k 3

row() { printf '  %-48s %s\n' "$1" "$2"; }

printf '\nNext, your own text: any file, folder or archive, in any language.\n'
row "$recurra train lm novel.txt -o runs/novel" "(--within 10m, if time is short)"
row "$recurra generate runs/novel" "new text in its manner"
row "$recurra train classify reviews.csv" "a table with a column of labels: which is which?"
printf '\nSee also\n'
row "$run/report.html" "the figures, the curves, the samples, on one page"
row "$recurra data list" "data sets by name"
row "$recurra --help" "all verbs"
