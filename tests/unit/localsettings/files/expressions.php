<?php # known in the end: wgE wgG wgH
if ( !defined( 'MEDIAWIKI' ) ) { exit; } wfLoadExtension( 'BounceHandler' ); $wgA = PHP_INT_SIZE;
$wgB = getenv( 'NO' ) ?: 'x'; $wgC = 1 ? 2 : 3; $wgD = (int)'5'; $wgE = "a" . 5 . true . null; $wgF = !0;
$wgG = TRUE; $wgH = Null; $wgI = "{$wgE[0]}"; $wgJ = "x"[0]; $wgK = 'a' . 1 + 2 . 'b';
