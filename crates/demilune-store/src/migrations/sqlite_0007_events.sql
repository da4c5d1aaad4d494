-- Events have their tables in the file that records of traffic are in.
SELECT 1;
