#!/bin/bash
# submit.sh WORK PROFILE CLIPS_PER_TASK INTO CLIP ...: the README beside this file tells what it does. Prints the two jobs' numbers.
set -eu
here=$(dirname "$(realpath "$0")")
work=$(realpath "$1") profile=$2 chunk=$3 into=$(realpath "$4")
shift 4
mkdir -p "$work/specs" "$work/out" "$work/results" "$work/logs"
proxx-worker spec --profile "$profile" --chunk "$chunk" --per-clip "$work/specs" \
    --output-directory "$work/out/{name}" --create-directories "$@" > "$work/specs.txt"
last=$(($(wc -l < "$work/specs.txt") - 1))
tasks=$(sbatch --parsable --array="0-$last" --output="$work/logs/%a.log" "$here/task.sbatch" "$work")
gather=$(sbatch --parsable --dependency="afterany:$tasks" --output="$work/logs/gather.log" "$here/gather.sbatch" "$work" "$into")
echo "$tasks $gather"
