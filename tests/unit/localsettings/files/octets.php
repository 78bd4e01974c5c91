<?php # known in the end: wgA wgB
$wgA = 'café'; $wgB = "\xff\xfe";
