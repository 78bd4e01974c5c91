<?php # known in the end: wgA wgB wgC wgD wgE wgF wgG wgH wgI wgJ wgK wgL wgM
$wgA = 60 * 60 * 24 * 7; $wgB = -2 ** 2 + 7 % 3; $wgC = 7 / 2; $wgD = 6 / 3; $wgE = 2 - 3 - 4;
$wgF = 0x1F + 0b11 + 017 + 0o17 + 1_000; $wgG = 9223372036854775807 + 1; $wgH = -7 % 3; $wgI = .5 + 1e3;
$wgJ = 9223372036854775808; $wgK = -9223372036854775807 - 1; $wgL = 1 + 2 * ( 3 + 4 ); $wgM = 2 ** 3 ** 2;
