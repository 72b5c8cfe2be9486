# Builds the library with Visual Studio 2022 and runs the suite.
# usage: powershell -ExecutionPolicy Bypass -File ci\test.ps1
. (Join-Path $PSScriptRoot 'common.ps1')
Set-Location (Join-Path $PSScriptRoot '..')

Find-Tools
$began = Get-Date
Build ''
Say 'Testing preset msvc'
Invoke-Checked ctest @('--preset', 'msvc', '-j', $env:NUMBER_OF_PROCESSORS)
Say ('Summary: passed in {0:n0} s' -f ((Get-Date) - $began).TotalSeconds)
