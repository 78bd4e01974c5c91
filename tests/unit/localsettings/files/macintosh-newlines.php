<?php # known in the end: wgA wgB
$wgA = 1; // ends with the line$wgA = 2; # ÿ too$wgB = "x\0y";
