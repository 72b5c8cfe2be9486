# Builds the library with Visual Studio 2022, runs the suite, and programs that find the installed library.
# usage: powershell -ExecutionPolicy Bypass -File ci\test.ps1
. (Join-Path $PSScriptRoot 'common.ps1')
Set-Location (Join-Path $PSScriptRoot '..')

Find-Tools
$began = Get-Date
Build ''
Say 'Testing preset msvc'
Invoke-Checked ctest @('--preset', 'msvc', '-j', $env:NUMBER_OF_PROCESSORS)

$place = Join-Path (Get-Location) 'build\install-msvc'
if (Test-Path $place) { Remove-Item -Recurse -Force $place }
Say "Installing into $place"
Invoke-Checked cmake @('--install', 'build/msvc', '--config', 'RelWithDebInfo', '--prefix', "$place\prefix")
$env:PATH = "$place\prefix\bin;$env:PATH"
foreach ($shared in 'ON', 'OFF') {
    Say "Programs that use find_package, BUILD_SHARED_LIBS $shared"
    Invoke-Checked cmake @('-S', 'ci/consumer', '-B', "$place\consumer-$shared", '-G', 'Visual Studio 17 2022', '-A', 'x64',
        "-DCMAKE_PREFIX_PATH=$place\prefix", "-DBUILD_SHARED_LIBS=$shared")
    Invoke-Checked cmake @('--build', "$place\consumer-$shared", '--config', 'RelWithDebInfo')
    Invoke-Checked ctest @('--test-dir', "$place\consumer-$shared", '-C', 'RelWithDebInfo', '--output-on-failure')
}
Say ('Summary: passed in {0:n0} s' -f ((Get-Date) - $began).TotalSeconds)
