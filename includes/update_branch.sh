uv run just update-template --trust --report "$report" || test -s "$report"
if ! test -s "$report"; then exit 0; fi
change=$(head -n 1 "$report")
branch="template-${change##* }"
if git ls-remote --exit-code --heads origin "$branch"; then exit 0; fi
title="Update from the template: $change"
if grep -q "^Conflicts to resolve" "$report"; then title="$title, with conflicts"; fi
{ echo '```'; head -c 60000 "$report"; echo '```'; } > "$body"
git add --all
git switch --create "$branch"
git config user.name "Template"
git config user.email "template@localhost"
git commit --quiet --message "$title"
