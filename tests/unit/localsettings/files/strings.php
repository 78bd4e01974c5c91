<?php # known in the end: wgA wgB
$wgA = 'it\'s \\ \n $wgB'; $wgB = "tab\t\x41\101\u{fc}\$\q\"{$wgA} ${wgA} $wgA";
