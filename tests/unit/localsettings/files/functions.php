<?php # known in the end: wgE wgI
function later() { global $wgA; $wgA = 'later'; $GLOBALS['wgB'] = 1; return 1; } $wgA = 'now';
$wgB = 0; $wgC = 'sure'; later(); class X { public $wgC = 5; function f() { $wgD = 1; return; } } $wgE = 'e';
$wgF = function () use ( $wgE ) { return $wgE; }; $wgG = fn ( $wgH ) => $wgH; $wgI = 'i';
