<?php # known in the end: wgB wgC wgD wgE
$wgA = <<<EOT
  hi
    there $wgB
  EOT . 'x';
$wgB = 'b';
$wgC = <<<"EOT"
{$wgB} \x41 \" "quoted" EOTX
EOT;
$wgD = <<<'X'
raw $wgB \n

X;
$wgE = <<<EOT
EOT;
