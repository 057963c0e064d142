<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.16-Białowieża" styleCategories="Symbology">
  <pipe-data-defined-properties>
    <Option type="Map">
      <Option type="QString" value="" name="name"/>
      <Option name="properties"/>
      <Option type="QString" value="collection" name="type"/>
    </Option>
  </pipe-data-defined-properties>
  <pipe>
    <provider>
      <resampling maxOversampling="2" enabled="false" zoomedOutResamplingMethod="nearestNeighbour" zoomedInResamplingMethod="nearestNeighbour"/>
    </provider>
    <rasterrenderer nodataColor="" band="1" classificationMax="1" type="singlebandpseudocolor" opacity="1" classificationMin="-1" alphaBand="-1">
      <minMaxOrigin>
        <limits>None</limits>
        <extent>WholeRaster</extent>
        <statAccuracy>Estimated</statAccuracy>
        <cumulativeCutLower>0.02</cumulativeCutLower>
        <cumulativeCutUpper>0.98</cumulativeCutUpper>
        <stdDevFactor>2</stdDevFactor>
      </minMaxOrigin>
      <rastershader>
        <colorrampshader maximumValue="1" clip="0" classificationMode="1" colorRampType="INTERPOLATED" minimumValue="-1" labelPrecision="6">
          <colorramp type="gradient" name="[source]">
            <Option type="Map">
              <Option type="QString" value="77,59,42,255" name="color1"/>
              <Option type="QString" value="255,255,255,255" name="color2"/>
              <Option type="QString" value="0" name="discrete"/>
              <Option type="QString" value="gradient" name="rampType"/>
              <Option type="QString" value="0.4;140,123,102,255:0.5;205,187,157,255:0.6;58,117,176,255:0.7;116,174,222,255:0.85;195,224,245,255" name="stops"/>
            </Option>
            <prop k="color1" v="77,59,42,255"/>
            <prop k="color2" v="255,255,255,255"/>
            <prop k="discrete" v="0"/>
            <prop k="rampType" v="gradient"/>
            <prop k="stops" v="0.4;140,123,102,255:0.5;205,187,157,255:0.6;58,117,176,255:0.7;116,174,222,255:0.85;195,224,245,255"/>
          </colorramp>
          <item color="#4d3b2a" label="-1" alpha="255" value="-1"/>
          <item color="#8c7b66" label="-0.2" alpha="255" value="-0.2"/>
          <item color="#cdbb9d" label="0" alpha="255" value="0"/>
          <item color="#3a75b0" label="0.2" alpha="255" value="0.2"/>
          <item color="#74aede" label="0.4" alpha="255" value="0.4"/>
          <item color="#c3e0f5" label="0.7" alpha="255" value="0.7"/>
          <item color="#ffffff" label="1" alpha="255" value="1"/>
          <rampLegendSettings direction="0" orientation="2" minimumLabel="" prefix="" useContinuousLegend="1" maximumLabel="" suffix="">
            <numericFormat id="basic">
              <Option type="Map">
                <Option type="QChar" value="" name="decimal_separator"/>
                <Option type="int" value="6" name="decimals"/>
                <Option type="int" value="0" name="rounding_type"/>
                <Option type="bool" value="false" name="show_plus"/>
                <Option type="bool" value="true" name="show_thousand_separator"/>
                <Option type="bool" value="false" name="show_trailing_zeros"/>
                <Option type="QChar" value="" name="thousand_separator"/>
              </Option>
            </numericFormat>
          </rampLegendSettings>
        </colorrampshader>
      </rastershader>
    </rasterrenderer>
    <brightnesscontrast brightness="0" contrast="0" gamma="1"/>
    <huesaturation saturation="0" colorizeOn="0" colorizeGreen="128" colorizeStrength="100" invertColors="0" colorizeBlue="128" grayscaleMode="0" colorizeRed="255"/>
    <rasterresampler maxOversampling="2"/>
    <resamplingStage>resamplingFilter</resamplingStage>
  </pipe>
  <blendMode>0</blendMode>
</qgis>
