# sqlite3: tables, indexes, joins, transactions and an integrity check in a database file
sqlite3 demo.db <<'SQL'
CREATE TABLE item(id INTEGER PRIMARY KEY, grp INT, name TEXT, price REAL);
WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 30000) INSERT INTO item SELECT i, (i * 7919) % 503, 'item ' || hex(i * 31), i / 7.0 FROM r;
CREATE INDEX by_group ON item(grp);
SELECT count(*), round(sum(price), 3), max(name) FROM item WHERE grp BETWEEN 10 AND 200;
BEGIN; UPDATE item SET price = price * 2 WHERE id % 5 = 0; ROLLBACK;
SELECT grp, count(*) n FROM item GROUP BY grp ORDER BY n DESC, grp LIMIT 3;
DELETE FROM item WHERE id % 7 = 0; VACUUM; PRAGMA integrity_check; SELECT count(*), total(length(name)) FROM item;
SQL
ls demo.db
