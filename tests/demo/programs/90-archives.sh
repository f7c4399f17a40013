# 7z, xz, gzip, bzip2: compress, test, extract, compare
seq 1 120000 | awk '{ print $1, $1 * $1 % 65537 }' > data
xz -k -3 data && xz -t data.xz && xz -dc data.xz | cmp - data && stat -c 'xz %s' data.xz
gzip -9kn data && gzip -dc data.gz | cmp - data && stat -c 'gzip %s' data.gz
bzip2 -k data && bzip2 -dc data.bz2 | cmp - data && stat -c 'bzip2 %s' data.bz2
7z a -bd -mmt2 -mx3 all.7z data data.gz > /dev/null && 7z t -bd all.7z | grep -c Everything && 7z x -bd -oout all.7z > /dev/null && cmp out/data data && echo "7z equal"
