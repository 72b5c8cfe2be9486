# Dot-sourced by ci/demo.ps1 and ci/test.ps1: finding CMake and Visual Studio, and building a preset.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

function Say([string] $text) {
    Write-Host "== $text"
}

# Runs a program and ends the script if it fails.
function Invoke-Checked([string] $program, [string[]] $arguments) {
    & $program @arguments
    if ($LASTEXITCODE -ne 0) {
        throw "$program $arguments ended with $LASTEXITCODE"
    }
}

# Finds Visual Studio 2022 with its C++ compiler, and puts the CMake that comes with it on the path if there is no other.
function Find-Tools {
    $finder = Join-Path ${env:ProgramFiles(x86)} 'Microsoft Visual Studio\Installer\vswhere.exe'
    $studio = $null
    if (Test-Path $finder) {
        $studio = & $finder -latest -version '[17.5,18)' -products '*' `
            -requires Microsoft.VisualStudio.Component.VC.Tools.x86.x64 -property installationPath
    }
    if (-not $studio) {
        throw ('Visual Studio 2022 (17.5 or later) with its C++ compiler is missing. As administrator: ' +
            'winget install Microsoft.VisualStudio.2022.BuildTools --override ' +
            '"--passive --add Microsoft.VisualStudio.Workload.VCTools --includeRecommended"')
    }
    if (-not (Get-Command cmake -ErrorAction SilentlyContinue)) {
        $bundled = Join-Path $studio 'Common7\IDE\CommonExtensions\Microsoft\CMake\CMake\bin'
        if (-not (Test-Path $bundled)) {
            throw 'CMake is missing: winget install Kitware.CMake'
        }
        $env:PATH = "$bundled;$env:PATH"
    }
}

# Configures and builds preset msvc, or one of its targets.
function Build([string] $target) {
    Say 'Building preset msvc'
    Invoke-Checked cmake @('--preset', 'msvc')
    $arguments = @('--build', '--preset', 'msvc', '--parallel')
    if ($target) {
        $arguments += @('--target', $target)
    }
    Invoke-Checked cmake $arguments
}
