# Builds the library with Visual Studio 2022 and runs the first program, examples/square, which prints one line.
# usage: powershell -ExecutionPolicy Bypass -File ci\demo.ps1
. (Join-Path $PSScriptRoot 'common.ps1')
Set-Location (Join-Path $PSScriptRoot '..')

Find-Tools
Build 'square'
Say 'Running examples/square: four processes square the numbers from 0 to 99'
Invoke-Checked 'build\msvc\bin\RelWithDebInfo\square.exe' @()
