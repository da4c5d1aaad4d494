-- Records of traffic have a file of their own beside this one.
SELECT 1;
