# git: commits, branches, a merge, history, packing and a check of the repository
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000' HOME=$PWD
git init -q -b main repo && cd repo
for i in $(seq 1 12); do seq 1 $((i * 50)) > file$((i % 4)); git add . && git commit -q -m "change $i"; done
git checkout -q -b side HEAD~5 && echo side > side && git add side && git commit -q -m side && git checkout -q main && git merge -q --no-edit side
git log --oneline | wc -l; git log --format=%s -3; git diff --stat HEAD~3 | tail -1; git rev-parse HEAD
git gc -q && git fsck --strict 2> /dev/null && git count-objects -v | grep in-pack; git clone -q . ../clone && git -C ../clone status --short | wc -l
git grep -c 77 | sort
